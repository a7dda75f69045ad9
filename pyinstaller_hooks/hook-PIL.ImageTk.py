"""Collects the module that Pillow's C code imports to find Tk; PyInstaller's hook for PIL leaves it out."""

hiddenimports = ["PIL._tkinter_finder"]
