"""Prints as JSON where huggingface_hub finds a model in its local cache, asking no network. Usage: hub_cache.py OWNER/NAME"""

import json
import sys

from huggingface_hub import scan_cache_dir, snapshot_download

found = snapshot_download(sys.argv[1], local_files_only=True)
cache = scan_cache_dir()
revisions = [revision for repo in cache.repos for revision in repo.revisions]
json.dump(
    {
        "snapshot": found,
        "warnings": [str(warning) for warning in cache.warnings],
        "files": sorted(file.file_name for revision in revisions for file in revision.files),
        "refs": sorted(ref for revision in revisions for ref in revision.refs),
    },
    sys.stdout,
)
