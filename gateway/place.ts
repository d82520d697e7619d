/** Which of a site's gateways this one is, and what of each PACS is its share: AE titles and moves at once. Pure. */
import type { GatewayConfig, PacsConfig } from '../common/contract/gateway-config.ts';

export interface GatewayPlace {
  /** From 0. */
  readonly index: number;
  readonly replicas: number;
  /** As in the environment. */
  readonly podIndex: string | undefined;
}

/**
 * @param podIndex POD_INDEX of the environment; may be absent for a site of one gateway
 * @throws Error naming POD_INDEX, the rule and what to do
 */
export function placeOf({ replicas = 1 }: Pick<GatewayConfig, 'replicas'>, podIndex: string | undefined): GatewayPlace {
  if (podIndex === undefined || podIndex === '') {
    if (replicas === 1) return { index: 0, replicas, podIndex };
    throw new Error(
      `POD_INDEX of the environment is missing: with replicas ${replicas} each gateway needs its index, from 0 to ${replicas - 1}`,
    );
  }
  const index = Number(podIndex);
  if (!/^\d{1,2}$/.test(podIndex) || index >= replicas)
    throw new Error(
      `POD_INDEX of the environment is '${podIndex}': with replicas ${replicas} it must be a number from 0 to ${replicas - 1}`,
    );
  return { index, replicas, podIndex };
}

/**
 * Titles `index, index + replicas, …` of the pool: what the PACS sends to a title reaches the gateway that asked. Moves at once are
 * parted likewise; at least one each, so that a PACS that allows fewer than there are gateways sees one per gateway.
 */
export function shareOf(pacs: PacsConfig, { index, replicas }: GatewayPlace): PacsConfig {
  if (replicas === 1) return pacs;
  const aeTitlePool = pacs.aeTitlePool.filter((_, position) => position % replicas === index);
  const moves = Math.floor(pacs.maxConcurrentMoves / replicas) + (index < pacs.maxConcurrentMoves % replicas ? 1 : 0);
  return { ...pacs, aeTitlePool, maxConcurrentMoves: Math.max(1, Math.min(moves, aeTitlePool.length)) };
}

/** The configuration as this gateway lives it. @throws Error as {@link placeOf} */
export function ownShare(config: GatewayConfig, podIndex: string | undefined): GatewayConfig {
  const place = placeOf(config, podIndex);
  return { ...config, pacs: config.pacs.map((pacs) => shareOf(pacs, place)) };
}
