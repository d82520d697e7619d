/**
 * Which presentation contexts of a C-STORE association are accepted, and in which transfer syntax (ci-sis §7.5, DB.SO.85). Pure.
 *
 * Per SOP class: contexts that offer a syntax of `accept` are accepted with the first of that order. Several such contexts
 * are all accepted: peers that propose one context per syntax send each object in its own, and refusing the less wanted
 * ones would lose the objects that exist only so. Contexts that offer none are accepted only when their SOP class has no
 * better one: the object is then received as it is and transcoded by us.
 */
import type { ContextAnswer, ProposedContext } from '../pdu/pdu.ts';
import { explicitVrLittleEndian, implicitVrLittleEndian, isStorageSopClass, verification } from '../uids.ts';

const accepted = 0;
const abstractSyntaxNotSupported = 3;
const transferSyntaxesNotSupported = 4;

/** @param accept transfer syntaxes, most wanted first; undefined when nothing may be stored (C-ECHO only) */
export function negotiate(
  contexts: readonly ProposedContext[],
  accept: readonly string[] | undefined,
): ContextAnswer[] {
  const wantedClasses = new Set(
    contexts
      .filter((context) => firstCommon(context, accept ?? []) !== undefined)
      .map((context) => context.abstractSyntax),
  );
  return contexts.map((context) => answer(context, accept, wantedClasses));
}

function answer(
  context: ProposedContext,
  accept: readonly string[] | undefined,
  wantedClasses: ReadonlySet<string>,
): ContextAnswer {
  const refuse = (result: number): ContextAnswer => ({
    id: context.id,
    result,
    // Not significant, yet read by some peers: what they proposed first.
    transferSyntax: context.transferSyntaxes[0] ?? implicitVrLittleEndian,
  });
  if (context.abstractSyntax === verification) {
    const syntax = firstCommon(context, [implicitVrLittleEndian, explicitVrLittleEndian]);
    return syntax === undefined
      ? refuse(transferSyntaxesNotSupported)
      : { id: context.id, result: accepted, transferSyntax: syntax };
  }
  if (accept === undefined || !isStorageSopClass(context.abstractSyntax)) return refuse(abstractSyntaxNotSupported);
  const wanted = firstCommon(context, accept);
  if (wanted !== undefined) return { id: context.id, result: accepted, transferSyntax: wanted };
  const asIs = firstCommon(context, [explicitVrLittleEndian, implicitVrLittleEndian]) ?? context.transferSyntaxes[0];
  if (asIs === undefined || wantedClasses.has(context.abstractSyntax)) return refuse(transferSyntaxesNotSupported);
  return { id: context.id, result: accepted, transferSyntax: asIs };
}

function firstCommon(context: ProposedContext, order: readonly string[]): string | undefined {
  return order.find((syntax) => context.transferSyntaxes.includes(syntax));
}
