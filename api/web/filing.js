// Filing: uploads that go on where they stopped. Every page works without this.
