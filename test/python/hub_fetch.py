"""Asks the hub for files of a model with huggingface_hub, as from_pretrained does, and prints as JSON what its local cache knows of each
afterwards, and its token. Usage: hub_fetch.py OWNER/NAME FILE…"""

import json
import sys

from huggingface_hub import _CACHED_NO_EXIST, get_token, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

name, *files = sys.argv[1:]


def known(file):
    found = try_to_load_from_cache(name, file)
    return "absent" if found is _CACHED_NO_EXIST else "unknown" if found is None else "cached"


before = {file: known(file) for file in files}
for file in files:
    try:
        hf_hub_download(name, file)
    except EntryNotFoundError:
        pass
json.dump({"before": before, "after": {file: known(file) for file in files}, "token": get_token()}, sys.stdout)
