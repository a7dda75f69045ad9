"""What the window has done for it in threads of its own."""
