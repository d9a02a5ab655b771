export * from './embedded.ts'
