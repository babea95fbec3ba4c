"""The model provider `stack`: other local models and learned text features, combined by a small fitted model."""
