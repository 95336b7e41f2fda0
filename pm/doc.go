// Package pm implements Livepeer's probabilistic micropayments: lottery tickets
// that a sender signs, a recipient checks, and a contract pays when they win.
//
// # A ticket
//
// A ticket promises its recipient faceValue wei if it wins, and nothing otherwise. It
// wins with probability winProb / (2^256-1), so that handing one over pays its
// expected value,
//
//	EV = faceValue · winProb / (2^256-1)
//
// Millions of payments cost one transaction that way: only winners go to the chain,
// where the TicketBroker contract pays them from the sender's deposit, and from its
// reserve what a face value exceeds the deposit by.
//
// Neither side can choose the draw. The recipient commits to a secret number,
// recipientRand, by its hash; the sender signs the ticket with that hash in it; the
// ticket wins when
//
//	uint256(keccak256(signature ‖ recipientRand)) < winProb
//
// A nonce makes each ticket for one recipientRandHash another draw, which is why no
// nonce may ever be used twice.
//
// # The order of calls
//
// A sender and a recipient, with the channel between them that the caller provides:
//
//  1. The recipient makes [TicketParams] for the sender: [Recipient].TicketParams. They
//     can be used for 40 L1 blocks and 600 tickets.
//  2. The sender judges them: [Sender].ValidateTicketParams, or [Limits.Check].
//  3. The sender starts a session, [Sender].StartSession, and makes tickets in it,
//     [Sender].CreateTicketBatch. [TicketsFor] tells how many cover a fee.
//  4. The recipient takes each ticket with the params' seed: [Recipient].ReceiveTicket.
//  5. Winners are handed over, [Recipient].RedeemWinningTicket, and redeemed by a
//     [SenderMonitor] once the params have expired: from then on the secret number
//     may be known.
//
// # Sender, and what pmctl uses
//
// A [Sender] is for one long-lived process that pays: it checks params, counts nonces and
// signs in one call, with the interface that programs written for go-livepeer's package
// expect. [NewSender] hands out every nonce once for as long as it lives. What pays with
// real money uses [NewSenderWithStore], whose [NonceStore] is durable. Both return a
// [ResumableSender], for callers that keep the nonces of sessions elsewhere.
//
// pmctl itself uses no Sender. Many short processes share its store, where a range of
// nonces, the budget that it spends and the request that it belongs to are one transaction;
// only then are tickets signed. It checks params with [Limits].Check and calls [Mint], the
// step below Sender, which signs a range of nonces that the caller has reserved, on all
// processors, and hands over each ticket as it is signed. [Sender].CreateTicketBatch is
// Limits.Check, a reservation and Mint.
//
// # Units and widths
//
// Amounts are in wei. Whole amounts are *big.Int, expected values are exact *big.Rat;
// nothing is rounded but where the documentation says so, and no float is used.
// Integers that are hashed are unsigned and fit 256 bits; [TicketParams.CheckFields]
// and [Ticket.CheckFields] find those that do not, and whatever signs or accepts a
// ticket calls them. A nil number counts as 0. Nonces are uint32 and begin at 1.
// Blocks are L1 blocks. Signatures are 65 bytes R‖S‖V over the personal message of
// the ticket's hash, with V = 27 or 28 and low S; others are refused.
//
// # Errors
//
// Every refusal is a sentinel or a type, for errors.Is and errors.As. The typed ones
// carry what was found and what is allowed. After a [FatalReceiveErr] a payment is
// over; after any other refusal of a ticket the next one may be good.
//
// # What it is made of
//
// The package has no network, no disk, no logger and no state that outlives the
// values it hands out. The chain is behind [Broker], [TimeManager] and
// [SenderManager], the disk behind [NonceStore] and [TicketStore]. Their implementations must be
// safe for concurrent use: a [SenderMonitor] has goroutines for each sender, and a [Sender]
// and a [Recipient] call them from all that use these. What is handed in
// is copied, and what is handed out is the caller's. Formulas and encodings are those
// of the contract's getTicketHash and redeemWinningTicket and of the deployed
// recipients.
package pm
