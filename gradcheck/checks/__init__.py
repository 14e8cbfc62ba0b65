"""What each claimed derivative means: one public function a file, and the one run that all of them make."""
