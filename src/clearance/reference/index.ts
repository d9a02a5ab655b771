export * from './read-reference.ts'
export * from './reference.ts'
