"""`python -m kobert_hf_emotion` is the command `kobert-emotion`."""

from .cli import run

if __name__ == "__main__":
    run()
