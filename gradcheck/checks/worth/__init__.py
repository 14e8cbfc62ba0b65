"""What a check is worth: which deliberate mistakes it notices."""
