package pm_test

import (
	"context"
	"fmt"
	"log"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/pm"
)

// key is a Signer whose key is in memory.
type key struct{ seed string }

func (k key) Sign(msg []byte) ([]byte, error) {
	private, err := crypto.HexToECDSA(k.seed)
	if err != nil {
		return nil, err
	}
	sig, err := crypto.Sign(accounts.TextHash(msg), private)
	if err == nil {
		sig[64] += 27
	}
	return sig, err
}

func (k key) Account() accounts.Account {
	private, err := crypto.HexToECDSA(k.seed)
	if err != nil {
		return accounts.Account{}
	}
	return accounts.Account{Address: crypto.PubkeyToAddress(private.PublicKey)}
}

// chain has the contracts' data for a sender and a recipient.
type chain struct {
	pm.TimeManager
	pm.SenderManager
}

func (chain) LastSeenL1Block() *big.Int               { return big.NewInt(22_000_000) }
func (chain) LastInitializedRound() *big.Int          { return big.NewInt(3_800) }
func (chain) LastInitializedL1BlockHash() [32]byte    { return [32]byte{1} }
func (chain) PreLastInitializedL1BlockHash() [32]byte { return [32]byte{2} }
func (chain) GetTranscoderPoolSize() *big.Int         { return big.NewInt(100) }
func (chain) GasPrice() *big.Int                      { return big.NewInt(100_000_000) }

func (chain) ClaimedReserve(holder, claimant common.Address) (*big.Int, error) {
	return new(big.Int), nil
}

func (chain) GetSenderInfo(common.Address) (*pm.SenderInfo, error) {
	ether := big.NewInt(1e18)
	return &pm.SenderInfo{
		Deposit:       ether,
		WithdrawRound: new(big.Int),
		Reserve:       &pm.ReserveInfo{FundsRemaining: ether, ClaimedInCurrentRound: new(big.Int)},
	}, nil
}

// noWinners is the TicketStore of a recipient without winners.
type noWinners struct{ pm.TicketStore }

func (noWinners) WinningTicketCount(common.Address, int64) (int, error) { return 0, nil }

// A sender pays a recipient with three tickets.
func Example() {
	var (
		contracts = chain{}
		payer     = key{"4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"}
		payee     = common.HexToAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
		limits    = pm.DefaultLimits()
	)
	sender := pm.NewSender(payer, contracts, contracts, limits.MaxEV, limits.MaxTotalEV, limits.DepositMultiplier)

	monitor := pm.NewSenderMonitor(&pm.LocalSenderMonitorConfig{Claimant: payee}, nil, contracts, contracts, noWinners{})
	validator := pm.NewValidator(&pm.DefaultSigVerifier{}, contracts)
	recipient, err := pm.NewRecipient(payee, nil, validator, contracts, monitor, contracts, pm.TicketParamsConfig{
		EV:               big.NewInt(8_000_000_000),
		RedeemGas:        1_000_000,
		TxCostMultiplier: 100,
	})
	if err != nil {
		log.Fatal(err)
	}

	// The recipient's side of the channel.
	params, err := recipient.TicketParams(payer.Account().Address, big.NewRat(1200, 1))
	if err != nil {
		log.Fatal(err)
	}

	// The sender's side.
	if err := sender.ValidateTicketParams(params); err != nil {
		log.Fatal(err)
	}
	batch, err := sender.CreateTicketBatch(sender.StartSession(*params), 3)
	if err != nil {
		log.Fatal(err)
	}

	// The recipient's again.
	for i, ticket := range batch.Tickets() {
		_, won, err := recipient.ReceiveTicket(ticket, batch.SenderParams[i].Sig, params.Seed)
		fmt.Println("nonce", ticket.SenderNonce, "accepted:", err == nil)
		if won {
			log.Print("one in 1.25 million") // recipient.RedeemWinningTicket(…)
		}
	}
	fmt.Println("face value", params.FaceValue, "wei")
	// Output:
	// nonce 1 accepted: true
	// nonce 2 accepted: true
	// nonce 3 accepted: true
	// face value 10000000000000000 wei
}

// A wallet that keeps nonces itself signs a range of them and streams the tickets.
func ExampleMint() {
	params := &pm.TicketParams{
		Recipient:        common.HexToAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
		FaceValue:        big.NewInt(3_500_000_000_000_000),
		WinProb:          new(big.Int).Lsh(big.NewInt(1), 236),
		ExpirationBlock:  big.NewInt(22_000_040),
		ExpirationParams: &pm.TicketExpirationParams{CreationRound: 3_800, CreationRoundBlockHash: common.Hash{1}},
	}
	payer := key{"4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"}
	err := pm.Mint(context.Background(), payer, params, nil, pm.NonceRange{First: 11, Count: 2}, func(ticket pm.TicketSenderParams) error {
		fmt.Printf("%d %x…\n", ticket.SenderNonce, ticket.Sig[:4])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 11 5ade0d70…
	// 12 8ab270dc…
}

// ledger is a NonceStore. A real one writes to disk, and syncs, before it returns.
type ledger map[common.Hash]uint32

func (l ledger) ReserveNonces(_ context.Context, _ common.Address, params *pm.TicketParams, count, limit uint32) (pm.NonceRange, error) {
	nonces, err := pm.NextNonces(params.RecipientRandHash, l[params.RecipientRandHash], count, limit)
	if err == nil {
		l[params.RecipientRandHash] += count
	}
	return nonces, err
}

// A new Sender continues where the last one ended, since both count in one store.
func ExampleNewSenderWithStore() {
	contracts := chain{}
	payer := key{"4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"}
	params := pm.TicketParams{
		Recipient:       common.HexToAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
		FaceValue:       big.NewInt(3_500_000_000_000_000),
		WinProb:         new(big.Int).Lsh(big.NewInt(1), 236),
		ExpirationBlock: big.NewInt(22_000_040),
	}
	store := ledger{}
	for range 2 { // two runs of a program
		sender := pm.NewSenderWithStore(payer, contracts, contracts, pm.DefaultLimits(), store)
		batch, err := sender.CreateTicketBatch(sender.StartSession(params), 3)
		if err != nil {
			log.Fatal(err)
		}
		for _, ticket := range batch.Tickets() {
			fmt.Print(ticket.SenderNonce, " ")
		}
	}
	// Output: 1 2 3 4 5 6
}

// A fee that is not a multiple of the EV is overpaid; the recipient books the rest as
// credit.
func ExampleTicketsFor() {
	fee, credit, ev := big.NewRat(20_000, 1), big.NewRat(1_500, 1), big.NewRat(8_000, 1)
	n, err := pm.TicketsFor(fee, credit, ev)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
	// Output: 3
}
