/** The error catalogue of the specification (DB0 §4.5.12.2–3, ci-sis §15): code, HTTP status and the generic label a caller may see. */

interface ErrorEntry {
  /** Absent for errors that never answer a request. */
  readonly httpStatus?: number;
  /** Generic: says nothing of the patient, the site or the cause (ci-sis §15, last line). */
  readonly label: string;
}

export const errorCatalogue = {
  E001: { label: 'KOS not generated: patient traits differ between the report and the PACS' },
  E003: { label: 'KOS not generated: communication with the PACS' },
  E004: { label: 'KOS not generated: study not available on the PACS' },
  E005: { label: 'KOS not generated: a mandatory datum is missing from the HL7 message or the CDA' },
  E006: { label: 'DMP: patient not available' },
  E007: { label: 'DMP: publication refused' },
  E008: { label: 'KOS not generated: other cause' },
  E1001: { httpStatus: 404, label: 'KOS absent from the local archive' },
  E1002: { httpStatus: 410, label: 'KOS unpublished or study no longer available' },
  E1003: { httpStatus: 403, label: 'Access token not valid' },
  E1004: { httpStatus: 502, label: 'Communication with the PACS' },
  E1005: { httpStatus: 504, label: 'PACS did not answer in time' },
  E1006: { httpStatus: 406, label: 'Patient identity differs between archive and PACS' },
  E1101: { label: 'Mutual TLS impossible' },
  E1102: { httpStatus: 401, label: 'Calling DRIMbox is not on the whitelist' },
  E1103: { httpStatus: 404, label: 'KOS of the request is not the KOS of the archive' },
  E1104: { httpStatus: 500, label: 'Other WADO error' },
  E1105: { httpStatus: 405, label: 'Retrieve level not supported' },
  E1201: { httpStatus: 400, label: 'Viewer URL not valid' },
  E1202: { httpStatus: 403, label: 'Patient traits differ from the authenticated identity' },
  E1203: { httpStatus: 500, label: 'Other viewer error' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
