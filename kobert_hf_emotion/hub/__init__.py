"""The Hugging Face Hub: models from it, what is uploaded to it, and its errors."""
