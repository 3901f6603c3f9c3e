"""The output of the commands: tables, panels, JSON and progress bars."""
