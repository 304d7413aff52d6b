"""How the default model in `kobert_hf_emotion/assets/default` is made; not part of the installed package."""
