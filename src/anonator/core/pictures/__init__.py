"""Pictures: from whatever a decoder delivers to upright yuv420p frames, and to RGB."""
