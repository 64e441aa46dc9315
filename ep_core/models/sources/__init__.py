"""Sources of networks: torchvision, timm, Hugging Face, open_clip, functions, files of weights; model lists."""
