/** gRPC services from their .proto definitions. */
import type grpc from '@grpc/grpc-js';
import type protobuf from 'protobufjs';

type Message = Record<string, unknown>;

/** @param respond instead of protobufjs, for responses that are bytes already. @throws Error when the API has no such method */
export function service(
  root: protobuf.Root,
  name: string,
  method: string,
  respond?: (value: readonly Uint8Array[]) => Buffer,
): grpc.ServiceDefinition {
  const { requestType, responseType, requestStream, responseStream } = definition(root, name, method);
  const serialize =
    (type: protobuf.Type) =>
    (value: Message): Buffer =>
      Buffer.from(type.encode(value).finish());
  const deserialize =
    (type: protobuf.Type) =>
    (bytes: Buffer): Message =>
      type.toObject(type.decode(bytes), { arrays: true, longs: Number });
  return {
    [method]: {
      path: `/${name}/${method}`,
      requestStream,
      responseStream,
      requestSerialize: serialize(requestType),
      requestDeserialize: deserialize(requestType),
      responseSerialize: respond ?? serialize(responseType),
      responseDeserialize: deserialize(responseType),
    },
  };
}

interface Method {
  readonly requestType: protobuf.Type;
  readonly responseType: protobuf.Type;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

function definition(root: protobuf.Root, name: string, method: string): Method {
  const found = root.lookupService(name).methods[method];
  const { resolvedRequestType, resolvedResponseType } = found ?? {};
  if (found === undefined || !resolvedRequestType || !resolvedResponseType)
    throw new Error(`${name} has no method ${method}`);
  return {
    requestType: resolvedRequestType,
    responseType: resolvedResponseType,
    requestStream: found.requestStream === true,
    responseStream: found.responseStream === true,
  };
}
