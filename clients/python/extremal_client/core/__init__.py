"""What the client decides, without sending anything itself: the same for both of its transports."""
