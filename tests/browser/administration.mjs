// The walk of an administrator beyond texts and synonyms. All documents and people are our own invention.
import { check, same } from "./check.mjs";

export const administrationTests = {};
