"""`ep bench memory`."""

from __future__ import annotations

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, out_console

from .options import Network


@spec_command("bench memory")
def memory(spec: Network, models_file: ModelsFile = None, device: Device = None) -> None:
    """Compare the memory of a default sweep with the bare network's on as many images as there are areas."""
    from ep_core.bench.memory import SIDES, peak_megabytes

    peaks = peak_megabytes(spec.model, models_file=models_file, device=device)
    for side in SIDES:
        out_console.print(f"{side}: {peaks[side]:.0f} MB beyond the loaded model", highlight=False)
    out_console.print(f"ratio {peaks[SIDES[1]] / peaks[SIDES[0]]:.2f}", highlight=False)
