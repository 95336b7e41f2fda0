package cli

import (
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

// Glossary lists the words of the protocol, of go-livepeer and of pmctl. docs/glossary.md
// has the same table.
func Glossary() []dialect.TopicList {
	return []dialect.TopicList{
		{Heading: "Who", Entries: []page.Field{
			{"gateway, broadcaster, sender", "the account that pays: it owns a deposit and a reserve, and signs tickets"},
			{"orchestrator, transcoder, recipient", "the account that is paid: it offers ticket params, checks tickets, and redeems those that win"},
			{"active", "registered in the pool for the current round; only an active orchestrator can redeem tickets"},
			{"pool", "the set of active orchestrators; its size divides your reserve"},
			{"node", "an Ethereum JSON-RPC server, yours or a provider's; pmctl reads the chain and sends transactions through it"},
		}},
		{Heading: "Money", Entries: []page.Field{
			{"deposit", "your ether in the TicketBroker that pays winning tickets"},
			{"reserve", "your ether in the TicketBroker that backs winning tickets when the deposit is empty; each active orchestrator can claim an equal share in a round"},
			{"wei, gwei", "10⁻¹⁸ and 10⁻⁹ ether"},
			{"fee", "what a job costs; tickets worth at least that much are sent for it"},
			{"credit", "what an orchestrator has booked for you beyond the fees so far; the next payment of the session uses it"},
			{"budget", "what an account may spend in a UTC day, set in a config file"},
			{"max float", "the highest face value that an orchestrator offers to a sender, given its deposit and reserve"},
			{"runway", "how long the deposit lasts at the present rate of spending"},
		}},
		{Heading: "Tickets", Entries: []page.Field{
			{"ticket", "a signed lottery ticket: it wins with a fixed probability, and pays its face value when it does"},
			{"face value", "what a winning ticket pays"},
			{"win probability", "how likely a ticket is to win; written as a fraction of 2²⁵⁶−1"},
			{"expected value, EV", "face value × win probability: what a ticket is worth on average, and what counts as paid"},
			{"ticket params", "an orchestrator's offer: face value, win probability, an expiration block and a commitment to its secret number"},
			{"batch", "several tickets of one set of ticket params, with consecutive nonces"},
			{"nonce", "the number of a ticket within its ticket params (1, 2, …); each can be used once. A transaction has a nonce of its own: its number within the account"},
			{"session", "the payments that use one set of ticket params, and the fresh params that follow them"},
			{"redeem", "send a winning ticket to the contract, which pays it; orchestrators do this"},
			{"request ID", "your own name for a payment, batch or transaction (--request-id): with the same ID it is made once"},
		}},
		{Heading: "Chain", Entries: []page.Field{
			{"TicketBroker", "the contract that keeps deposits and reserves and pays winning tickets"},
			{"controller", "the contract that registers the addresses of the others"},
			{"round", "the protocol's unit of time, about a day on Arbitrum One; tickets belong to a round, and an unlock takes 7"},
			{"L1 block", "a block of Ethereum; params expire, and rounds begin, at L1 block numbers"},
			{"locked, unlocking", "deposit and reserve are locked until you unlock them; after the unlock period they can be withdrawn"},
			{"journal", "pmctl's record of every transaction, written before it is sent"},
			{"store", "where pmctl records nonces, spending, request IDs and the journal: a file, or a PostgreSQL database"},
			{"ledger", "the part of the store that lists which tickets were signed"},
			{"pin", "an address remembered at first use: the orchestrator behind a URL, and a network's contracts"},
			{"retired", "of a session: no more tickets are signed in it, because its nonces may be in use elsewhere"},
		}},
	}
}
