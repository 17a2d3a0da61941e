"""The pure core: values and decisions. No I/O, no clock, no chance, no import of another room."""
