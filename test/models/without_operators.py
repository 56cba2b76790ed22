"""Imported before torchvision, also by others: its wheels need operators of its own library, which a torch for the CPU may not load.
Models do without them."""

import sys
import types

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
