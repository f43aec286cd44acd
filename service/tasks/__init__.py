"""One file a task: text to tensors, tensors to answers."""
