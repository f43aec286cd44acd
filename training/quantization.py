"""Graphs with 8-bit weights.

*Dynamic* quantization (ONNX Runtime's) covers the LSTM operator and is the smallest and fastest,
but scales activations by the batch: an answer may depend on its neighbours. *By rows* each row has
scales of its own, block by block, so that a row in a batch is the row alone; it covers products
with constant weights, which a decoder step is made of, and leaves recurrent operators in fp32.
"""

import logging
from pathlib import Path
from typing import Literal

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

Quantization = Literal["dynamic", "rows"]

_DYNAMIC_OPERATORS = ["LSTM", "MatMul", "Gather"]
_BLOCK = 32
_INTEGER_PRODUCTS = 4
"""`accuracy_level` of MatMulNBits: activations are rounded to 8 bits too."""


def quantize(source: Path, target: Path, how: Quantization) -> None:
    """Write `source` with 8-bit weights as `target`."""
    if how == "rows":
        _quantize_rows(source, target)
    else:
        _quantize_dynamic(source, target, _DYNAMIC_OPERATORS)
    onnx.checker.check_model(onnx.load(target))


def _quantize_dynamic(source: Path, target: Path, operators: list[str]) -> None:
    """Without `reduce_range` results drift by a fifth on CPUs without VNNI."""
    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        op_types_to_quantize=operators,
    )


def _quantize_rows(source: Path, target: Path) -> None:
    """Products block by block, embeddings (which have no activations) as `dynamic` has them."""
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.WARNING)
    _quantize_dynamic(source, target, ["Gather"])
    quantizer = MatMulNBitsQuantizer(
        onnx.load(target),
        bits=8,
        block_size=_BLOCK,
        is_symmetric=True,
        accuracy_level=_INTEGER_PRODUCTS,
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), False)
