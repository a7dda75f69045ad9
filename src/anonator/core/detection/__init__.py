"""What the detector is made of: networks, devices, and how pictures get to them."""
