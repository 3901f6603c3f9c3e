"""The building blocks of the public data classes: validators, times and reprs."""
