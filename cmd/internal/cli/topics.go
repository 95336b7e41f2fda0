package cli

import "github.com/pmctl/pmctl/internal/dialect"

// Topics are the pages of pmctl help TOPIC. Where docs have the same table, a test holds
// them to be equal.
func Topics() []dialect.Topic {
	return []dialect.Topic{
		{Name: "environment", Short: "Environment variables", Lists: Environment(),
			Intro: "A flag comes before the environment, and the environment before the config files. pmctl config show prints every setting with its source."},
		{Name: "exit-codes", Short: "Exit codes", Lists: []dialect.TopicList{{Entries: exitFields()}},
			Intro: "The exit code says how a command ended. With --output json a failure is also a document on stderr, whose code names the failure."},
		formatsTopic(),
		{Name: "glossary", Short: "The words of the protocol, of go-livepeer and of pmctl", Lists: Glossary(),
			Intro: "Flags and JSON documents use the words of the protocol: sender and recipient."},
	}
}
