"""The review: a person looks at a result, corrects it and signs it."""
