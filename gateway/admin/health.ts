/**
 * What the ANS health weather reads (DB.SO.182, DB.SO.183, ci-sis §11): earned from what really happened, with a deadline and
 * an age, never constant; no version, no internal name.
 */

export interface HealthCheck {
  readonly name: string;
  readonly status: 'UP' | 'DOWN';
}

export interface Health {
  readonly status: 'UP' | 'DOWN';
  readonly checks: readonly HealthCheck[];
}

export interface DrimboxFacts {
  /** The viewer wing is part of this gateway and its page answered. */
  readonly viewer: 'answers' | 'silent' | 'not part of this gateway';
  /** The WADO-RS listener completes a TLS handshake. */
  readonly wadoAnswers: boolean;
  /** A verified whitelist is in force and names this DRIMbox (DB.CS.164). */
  readonly listed: boolean;
}

/** The three names exactly; DOWN as soon as a critical one is. A viewer this gateway does not have is DOWN, and not critical. */
export function drimboxHealth(facts: DrimboxFacts): Health {
  const up = (ok: boolean): 'UP' | 'DOWN' => (ok ? 'UP' : 'DOWN');
  const checks = [
    {
      name: 'VISIONNEUSE',
      status: up(facts.viewer === 'answers'),
      critical: facts.viewer !== 'not part of this gateway',
    },
    { name: 'WADO-RS', status: up(facts.wadoAnswers && facts.listed), critical: true },
    { name: 'LISTEBLANCHE', status: up(facts.listed), critical: true },
  ];
  return {
    status: up(checks.every(({ status, critical }) => status === 'UP' || !critical)),
    checks: checks.map(({ name, status }) => ({ name, status })),
  };
}

export interface PacsFact {
  readonly name: string;
  readonly lastEchoAt: Date | undefined;
  readonly lastEchoUp: boolean;
}

/** An echo older than this says nothing any more. */
export const echoMaximumAgeMs = 300_000;

export function pacsHealth(facts: readonly PacsFact[], now: Date): Health {
  const checks = facts.map(({ name, lastEchoAt, lastEchoUp }): HealthCheck => {
    const fresh = lastEchoAt !== undefined && now.getTime() - lastEchoAt.getTime() <= echoMaximumAgeMs;
    return { name, status: fresh && lastEchoUp ? 'UP' : 'DOWN' };
  });
  return { status: checks.length > 0 && checks.every(({ status }) => status === 'UP') ? 'UP' : 'DOWN', checks };
}
