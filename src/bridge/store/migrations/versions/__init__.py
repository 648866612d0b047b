"""One file per change of shape. A revision is history: it imports nothing of ours and is not edited later."""
