/** The two ways the DMP says no: a SOAP fault before it looks at the content, a RegistryError after. */

export class SoapFault extends Error {
  readonly role: 'Sender' | 'Receiver';
  readonly subcode: string;
  constructor(subcode: string, reason: string, role: 'Sender' | 'Receiver' = 'Sender') {
    super(reason);
    this.name = 'SoapFault';
    this.role = role;
    this.subcode = subcode;
  }
}

export class RegistryRefusal extends Error {
  readonly errorCode: string;
  constructor(errorCode: string, codeContext: string) {
    super(codeContext);
    this.name = 'RegistryRefusal';
    this.errorCode = errorCode;
  }
}

/** @throws RegistryRefusal XDSRegistryMetadataError when it does not hold. */
export function metadata(holds: boolean, context: string, code = 'XDSRegistryMetadataError'): asserts holds {
  if (!holds) throw new RegistryRefusal(code, context);
}

/** @throws SoapFault wsse:InvalidSecurity when it does not hold. */
export function security(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SoapFault('wsse:InvalidSecurity', reason);
}
