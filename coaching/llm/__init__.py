"""The way to a language model, and nothing else: who may be called, how, and what came back."""
