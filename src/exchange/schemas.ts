import { type TSchema, Type } from 'typebox'
import { AnswerBody } from './answers.ts'
import { frameLimits } from './frame.ts'
import { KeysetPayload } from './keyset.ts'
import { AnswerPayload, RequestPayload } from './link-request.ts'
import { MessagePayload } from './message.ts'
import { PartnerCard } from './partner-card.ts'
import { ReceiptPayload } from './receipt.ts'

const closed = { additionalProperties: false } as const

/** The plaintext of a frame. `readFrame` asks the same of it, and that nothing stands in it twice. */
export const FrameContent = Type.Object(
  {
    messages: Type.Array(
      Type.Object({ message: Type.String(), parts: Type.Record(Type.String(), Type.String()) }, closed),
      { minItems: 1, maxItems: frameLimits.messagesMax },
    ),
  },
  closed,
)

/** The body of a POST to `/exchange/v1/frames`. */
export const FramesPost = Type.Object({ request: Type.String(), frame: Type.String() }, closed)

const published: Readonly<Record<string, TSchema>> = {
  message: MessagePayload,
  receipt: ReceiptPayload,
  keyset: KeysetPayload,
  request: RequestPayload,
  answer: AnswerPayload,
  frame: FrameContent,
  'frames-post': FramesPost,
  'answer-body': AnswerBody,
  'partner-card': PartnerCard,
}

/**
 * The shapes of the wire as JSON Schema 2020-12, by file name.
 *
 * Why: a partner checks its own objects with what this program runs. A schema says less than the readers do; the rest
 * (strict JSON, instants that exist, signatures) stands in the contract's text and vectors.
 */
export function exchangeSchemas(): ReadonlyMap<string, Record<string, unknown>> {
  return new Map(
    Object.entries(published).map(([name, schema]) => {
      const { $id: _, ...members } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
      const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `${name}.schema.json`, title: name }
      return [`${name}.schema.json`, { ...head, ...members }]
    }),
  )
}
