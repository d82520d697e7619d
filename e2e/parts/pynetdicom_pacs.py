"""A second vendor's PACS for tests: C-ECHO, C-FIND (hierarchical only), C-MOVE, C-STORE over a directory of Part 10 files.

It can misbehave on purpose, by a JSON document given as the only argument:
  port, ae_title, directory, destinations {AE title: [host, port]}
  drop_after       cut the C-STORE association and the C-MOVE's after N instances
  wait_before      seconds of silence before the first sub-operation
  wait_between     seconds between sub-operations
  fail_status      final status of every C-MOVE, sent at once
  omit_after       send only the first N instances, say that all went well
"""
import json
import os
import sys
import time

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, StoragePresentationContexts, _config, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as FIND,
    StudyRootQueryRetrieveInformationModelMove as MOVE,
    Verification,
)

options = json.loads(sys.argv[1])
_config.UNRESTRICTED_STORAGE_SERVICE = True
SYNTAXES = [
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
]
LEVELS = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


def instances():
    for folder, _, names in sorted(os.walk(options["directory"])):
        for name in sorted(names):
            if name.endswith(".dcm"):
                yield os.path.join(folder, name)


def index():
    return [(path, dcmread(path, stop_before_pixels=True)) for path in instances()]


known = index()


def matches(identifier, dataset):
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
        wanted = identifier.get(keyword)
        values = [wanted] if isinstance(wanted, str) else list(wanted or [])
        values = [str(value) for value in values if value]
        if values and str(dataset.get(keyword, "")) not in values:
            return False
    return True


def on_find(event):
    identifier = event.identifier
    level = identifier.get("QueryRetrieveLevel")
    if level not in LEVELS:
        yield 0xA900, None
        return
    # Hierarchical only: the unique keys above the level are required (PS3.4 C.4.1.3.1).
    required = {"STUDY": [], "SERIES": ["StudyInstanceUID"], "IMAGE": ["StudyInstanceUID", "SeriesInstanceUID"]}[level]
    if any(not identifier.get(keyword) for keyword in required):
        yield 0xA900, None
        return
    seen = set()
    for _, dataset in known:
        uid = str(dataset[LEVELS[level]].value)
        if uid in seen or not matches(identifier, dataset):
            continue
        seen.add(uid)
        answer = Dataset()
        for element in identifier:
            answer[element.tag] = dataset[element.tag] if element.tag in dataset else element
        answer.QueryRetrieveLevel = level
        answer.SpecificCharacterSet = dataset.get("SpecificCharacterSet", "ISO_IR 6")
        yield 0xFF00, answer
    yield 0x0000, None


def on_move(event):
    destination = options["destinations"].get(event.move_destination.strip())
    if destination is None:
        yield None, None
        return
    chosen = [path for path, dataset in known if matches(event.identifier, dataset)]
    sent = chosen[: options["omit_after"]] if "omit_after" in options else chosen
    yield destination[0], destination[1], {"contexts": contexts_of(chosen)}
    yield len(sent)
    if "fail_status" in options:
        yield options["fail_status"], None
        return
    time.sleep(options.get("wait_before", 0))
    for number, path in enumerate(sent):
        if event.is_cancelled:
            yield 0xFE00, None
            return
        if number == options.get("drop_after", -1):
            # A cut connection, not a failed sub-operation: the process is what dies in the field.
            os._exit(1)
        yield 0xFF00, dcmread(path)
        time.sleep(options.get("wait_between", 0))


def contexts_of(paths):
    from pynetdicom import build_context

    kinds = {}
    for path in paths:
        meta = dcmread(path, stop_before_pixels=True).file_meta
        kinds.setdefault(str(meta.MediaStorageSOPClassUID), set()).add(str(meta.TransferSyntaxUID))
    return [build_context(sop, syntax) for sop, syntaxes in kinds.items() for syntax in sorted(syntaxes)]


def on_store(event):
    path = os.path.join(options["directory"], event.request.AffectedSOPInstanceUID + ".dcm")
    with open(path, "wb") as target:
        target.write(event.encoded_dataset())
    known.append((path, dcmread(path, stop_before_pixels=True)))
    return 0x0000


ae = AE(ae_title=options["ae_title"])
ae.require_called_aet = True
ae.maximum_pdu_size = options.get("max_pdu", 16382)
for context in (Verification, FIND, MOVE):
    ae.add_supported_context(context)
for context in StoragePresentationContexts:
    ae.add_supported_context(context.abstract_syntax, SYNTAXES)
ae.start_server(
    ("127.0.0.1", options["port"]),
    block=True,
    evt_handlers=[(evt.EVT_C_FIND, on_find), (evt.EVT_C_MOVE, on_move), (evt.EVT_C_STORE, on_store)],
)
