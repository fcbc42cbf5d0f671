"""Function 20, "read file record", for pymodbus's server, which knows the frames but keeps no files.

For `SimulatedGateway`. Source: Modbus application protocol V1.1b3, 6.14.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.file_message import FileRecord, ReadFileRecordRequest, ReadFileRecordResponse

REFERENCE = 6
"""The only kind of part there is."""
MOST_BYTES = 0xF5

AnswerFile = Callable[[int, int, int, int], Awaitable[tuple[int, ...] | ExcCodes]]
"""Device, file, first record and count of words: the words, or a refusal."""


def file_question(answer: AnswerFile) -> type[ModbusPDU]:
    """A question of function 20 that is answered by `answer`."""

    class FileQuestion(ReadFileRecordRequest):
        """Parts as (reference, file, record, words)."""

        parts: tuple[tuple[int, int, int, int], ...] = ()

        def decode(self, data: bytes) -> None:
            whole = data[1 : 1 + data[0] // 7 * 7]
            self.parts = tuple(struct.iter_unpack(">BHHH", whole))

        async def datastore_update(self, context: object, device_id: int) -> ModbusPDU:
            del context  # pymodbus's memory has no files
            records, size = [], 0
            for reference, file, first, count in self.parts:
                size += 2 * count + 2
                if reference != REFERENCE or not count or size > MOST_BYTES:
                    return ExceptionResponse(self.function_code, ExcCodes.ILLEGAL_VALUE)
                words = await answer(device_id, file, first, count)
                if isinstance(words, ExcCodes):
                    return ExceptionResponse(self.function_code, words)
                records.append(FileRecord(record_data=struct.pack(f">{count}H", *words)))
            return ReadFileRecordResponse(records, dev_id=device_id, transaction_id=self.transaction_id)

    return FileQuestion
