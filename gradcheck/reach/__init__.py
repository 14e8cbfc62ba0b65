"""From lines that never ran to points that run them: searched for, checked by whoever asks, and shrunk where a check fails."""
