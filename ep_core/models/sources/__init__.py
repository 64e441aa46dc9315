"""Sources of networks: torchvision, timm, files of weights, model lists."""
