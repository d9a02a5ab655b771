import type { TSchema } from 'typebox'
import { AnswerBody } from '../../exchange/index.ts'
import { Arrival, Cancellation, Clearance, Departure, Discrepancy } from '../model.ts'
import type { BodySchemaName } from './package-files.ts'

/** The schema of each body by the name under which the package publishes it. */
export const publishedSchemas: Readonly<Record<BodySchemaName, TSchema>> = {
  clearance: Clearance,
  cancellation: Cancellation,
  departure: Departure,
  arrival: Arrival,
  discrepancy: Discrepancy,
  answer: AnswerBody,
}
