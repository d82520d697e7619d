/** @peculiar/x509, whose dependency injection wants its polyfill loaded first: import it from here and nowhere else. */
import 'reflect-metadata';

export * from '@peculiar/x509';
