"""How the window looks: colours, sizes, and the small controls that Tk lacks."""
