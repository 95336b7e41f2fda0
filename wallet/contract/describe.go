package contract

import (
	"encoding/hex"
	"fmt"
)

// Description is a call of the TicketBroker in words.
type Description struct {
	// Method is the function's name, Args its arguments in order.
	Method string
	Args   []Argument
}

// Argument is one argument of a call.
type Argument struct{ Name, Type, Value string }

// Describe decodes the data of a call of the TicketBroker. It fails for what is none.
func Describe(data []byte) (Description, error) {
	broker := NewTicketBroker().GetABI()
	if len(data) < 4 {
		return Description{}, fmt.Errorf("%d bytes of data are no call of the TicketBroker", len(data))
	}
	method, err := broker.MethodById(data[:4])
	if err != nil {
		return Description{}, fmt.Errorf("the TicketBroker has no function with the selector 0x%x", data[:4])
	}
	values, err := method.Inputs.Unpack(data[4:])
	if err != nil {
		return Description{}, fmt.Errorf("the data of %s cannot be decoded: %w", method.Name, err)
	}
	d := Description{Method: method.Name, Args: make([]Argument, len(values))}
	for i, input := range method.Inputs {
		text := fmt.Sprint(values[i])
		if raw, ok := values[i].([]byte); ok {
			text = "0x" + hex.EncodeToString(raw)
		}
		d.Args[i] = Argument{input.Name, input.Type.String(), text}
	}
	return d, nil
}
