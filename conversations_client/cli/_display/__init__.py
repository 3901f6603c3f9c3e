"""What the commands print: tables, panels, JSON and progress bars."""
