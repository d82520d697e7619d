/** TD3.3c (ci-sis §6.7): a submission set that says one entry is deleted. */
import { link, statusName } from './names.ts';
import { metadata } from './refusals.ts';
import { refuseDuplicates, type Registry } from './registry.ts';
import type { SoapRequest } from './soap.ts';
import { readSubmittedObjects } from './submission-set.ts';
import type { Caller } from './vihf.ts';
import type { Publication } from './publication.ts';

export function checkRemoval(request: SoapRequest, caller: Caller, registry: Registry): Publication {
  const { setId, entries, links } = readSubmittedObjects(request.body, caller);
  metadata(entries.length === 0, 'a removal carries no ExtrinsicObject');
  const [update, ...others] = links;
  metadata(
    update !== undefined && others.length === 0 && update.type === link.status,
    'one UpdateAvailabilityStatus is wanted',
  );
  metadata(
    update.slots.get('OriginalStatus')?.[0] === statusName.approved &&
      update.slots.get('NewStatus')?.[0] === statusName.deleted,
    `OriginalStatus Approved and NewStatus ${statusName.deleted} are wanted`,
  );
  const target = registry.byEntryUuid(update.target);
  metadata(target !== undefined, `${update.target} is not registered`);
  metadata(target.status === 'approved', `${update.target} is ${target.status}`);
  metadata(target.patientId === caller.patient, `${update.target} is of another patient`, 'XDSPatientIdDoesNotMatch');
  refuseDuplicates(registry, setId, new Map());
  return {
    register: () =>
      registry.change(
        target.entryUuid,
        { status: 'deleted' },
        {
          uniqueId: setId,
          kind: 'removal',
          patientId: caller.patient,
          structure: caller.structure,
          entries: [target.entryUuid],
        },
      ),
  };
}
