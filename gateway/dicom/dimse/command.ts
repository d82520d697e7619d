/**
 * Command sets (PS3.7 §6.3, annex E): group 0000, always Implicit VR Little Endian, a closed list of elements.
 * Elements of a peer that are not in the table are skipped.
 */

export const commandField = {
  storeRequest: 0x0001,
  storeResponse: 0x8001,
  findRequest: 0x0020,
  findResponse: 0x8020,
  moveRequest: 0x0021,
  moveResponse: 0x8021,
  echoRequest: 0x0030,
  echoResponse: 0x8030,
  cancelRequest: 0x0fff,
} as const;

/** Statuses of PS3.7 annex C and PS3.4 annexes B and C that we send or tell apart. */
export const status = {
  success: 0x0000,
  invalidInstance: 0x0117,
  classNotSupported: 0x0122,
  unrecognizedOperation: 0x0211,
  outOfResources: 0xa700,
  cancelled: 0xfe00,
  pending: 0xff00,
  /** Matches continue, some optional keys were not supported. */
  pendingWithWarning: 0xff01,
} as const;

export interface Command {
  readonly field: number;
  readonly hasDataSet: boolean;
  readonly affectedSopClass?: string;
  readonly messageId?: number;
  readonly respondedTo?: number;
  readonly moveDestination?: string;
  readonly priority?: number;
  readonly status?: number;
  readonly errorComment?: string;
  readonly affectedSopInstance?: string;
  readonly remaining?: number;
  readonly completed?: number;
  readonly failed?: number;
  readonly warning?: number;
  readonly moveOriginatorAeTitle?: string;
  readonly moveOriginatorMessageId?: number;
}

type Key = Exclude<keyof Command, 'hasDataSet'>;
type Kind = 'number' | 'uid' | 'text';

/** In ascending element order, as they must be written. */
const elements: readonly (readonly [element: number, key: Key, kind: Kind])[] = [
  [0x0002, 'affectedSopClass', 'uid'],
  [0x0100, 'field', 'number'],
  [0x0110, 'messageId', 'number'],
  [0x0120, 'respondedTo', 'number'],
  [0x0600, 'moveDestination', 'text'],
  [0x0700, 'priority', 'number'],
  [0x0900, 'status', 'number'],
  [0x0902, 'errorComment', 'text'],
  [0x1000, 'affectedSopInstance', 'uid'],
  [0x1020, 'remaining', 'number'],
  [0x1021, 'completed', 'number'],
  [0x1022, 'failed', 'number'],
  [0x1023, 'warning', 'number'],
  [0x1030, 'moveOriginatorAeTitle', 'text'],
  [0x1031, 'moveOriginatorMessageId', 'number'],
];
const dataSetTypeElement = 0x0800;
/** PS3.7 §9.3: this value, and only this, says that no data set follows. */
const noDataSet = 0x0101;

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export function encodeCommand(command: Command): Buffer {
  const parts: Buffer[] = [];
  let typeWritten = false;
  for (const [element, key, kind] of elements) {
    if (!typeWritten && element > dataSetTypeElement) {
      parts.push(encodeElement(dataSetTypeElement, command.hasDataSet ? 0x0001 : noDataSet, 'number'));
      typeWritten = true;
    }
    const value = command[key];
    if (value !== undefined) parts.push(encodeElement(element, value, kind));
  }
  const body = Buffer.concat(parts);
  const group = Buffer.alloc(12);
  group.writeUInt32LE(4, 4);
  group.writeUInt32LE(body.length, 8);
  return Buffer.concat([group, body]);
}

function encodeElement(element: number, value: string | number, kind: Kind): Buffer {
  const bytes = typeof value === 'number' ? Buffer.alloc(2) : Buffer.from(padded(value, kind), 'latin1');
  if (typeof value === 'number') bytes.writeUInt16LE(value);
  const header = Buffer.alloc(8);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

function padded(value: string, kind: Kind): string {
  return value.length % 2 === 0 ? value : value + (kind === 'uid' ? '\0' : ' ');
}

/** @throws CommandError when an element is cut, outside group 0000, or the command field is absent. */
export function decodeCommand(bytes: Buffer): Command {
  const found: Record<string, string | number> = {};
  let type: number | undefined;
  for (let offset = 0; offset < bytes.length;) {
    if (offset + 8 > bytes.length) throw new CommandError('a command element is cut');
    const element = bytes.readUInt16LE(offset + 2);
    const end = offset + 8 + bytes.readUInt32LE(offset + 4);
    if (bytes.readUInt16LE(offset) !== 0) throw new CommandError('a command element is outside group 0000');
    if (end > bytes.length) throw new CommandError(`command element (0000,${hex(element)}) is cut`);
    const value = bytes.subarray(offset + 8, end);
    if (element === dataSetTypeElement) type = number(value, element);
    const known = elements.find(([candidate]) => candidate === element);
    // An empty optional element says nothing.
    if (known !== undefined && value.length > 0) found[known[1]] = decodeValue(value, known[2], element);
    offset = end;
  }
  if (typeof found['field'] !== 'number') throw new CommandError('(0000,0100) Command Field is absent');
  return {
    ...(found as Partial<Command>),
    field: found['field'],
    hasDataSet: type !== undefined && type !== noDataSet,
  };
}

function decodeValue(value: Buffer, kind: Kind, element: number): string | number {
  return kind === 'number' ? number(value, element) : value.toString('latin1').replace(/[\0 ]+$/, '');
}

function number(value: Buffer, element: number): number {
  if (value.length < 2) throw new CommandError(`command element (0000,${hex(element)}) is not a US`);
  return value.readUInt16LE(0);
}

function hex(element: number): string {
  return element.toString(16).padStart(4, '0');
}
