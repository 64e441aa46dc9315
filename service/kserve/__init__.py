"""KServe's protocols: v1 (`:explain`, `:predict`), and v2, the Open Inference Protocol, with masks as tensors."""
