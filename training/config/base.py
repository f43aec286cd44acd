"""What every experiment states."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OWN_SET = r"own/[a-z0-9][a-z0-9_-]*"
"""A data set of yours, which lies in the folder of that name."""


class Settings(BaseModel):
    """Base of all configuration parts: frozen, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cell(Settings):
    """A stack of recurrent layers: Elman `rnn`, `gru` (Cho et al. 2014) or `lstm`."""

    kind: Literal["rnn", "gru", "lstm"] = "lstm"
    hidden: int = Field(256, gt=0)
    layers: int = Field(1, gt=0)
    bidirectional: bool = True
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> int:
        """Features per step that the stack gives."""
        return self.hidden * self.directions


class Optimizer(Settings):
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(200, ge=0)
    decay_epochs: int = Field(0, ge=0)
    """Over how many last epochs of `max_epochs` the rate falls to nothing; 0 keeps it."""
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    average_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the exponential moving average of the weights; 0 turns it off."""


class Trainer(Settings):
    max_epochs: int = Field(20, gt=0)
    max_minutes: float | None = Field(None, gt=0)
    """Ends the run after this long; the learning rate has fallen by then."""
    patience: int = Field(3, gt=0)
    batch_tokens: int = Field(3000, gt=0)
    """Rows times longest row of a training batch."""
    threads: int | None = Field(None, gt=0)
    workers: int = Field(0, ge=0)
    """Processes that prepare the next epoch while one runs; 0 prepares it in between."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = Field(1, gt=0)
    num_nodes: int = Field(1, gt=0)


class Experiment(Settings):
    """What every experiment states, whatever its task."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str = Field("1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    seed: int = 13
    history: str = ""
    """How the run departed from one uninterrupted run of this file; goes into the model card."""
    earlier_data: tuple[str, ...] = ()
    """Data sets that only earlier parts of the run were trained on: they are owed credit too."""
    optimizer: Optimizer = Optimizer()
    trainer: Trainer = Trainer()
