// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";

/// @title BondingManager
/// @notice The pool of active transcoders, and what each has earned. There is no
/// stake here: the controller's owner decides who is registered and who is active.
contract BondingManager is Managed {
    mapping(address => bool) public isRegisteredTranscoder;

    /// @notice What a transcoder has earned so far, in wei.
    mapping(address => uint256) public fees;

    /// @notice What a transcoder has earned with tickets of one creation round, in wei.
    mapping(address => mapping(uint256 => uint256)) public feesForRound;

    address[] private pool;
    mapping(address => uint256) private place; // in the pool, from 1; 0 is outside

    event TranscoderActivated(address indexed transcoder);
    event TranscoderDeactivated(address indexed transcoder);
    event TranscoderFeesUpdated(address indexed transcoder, uint256 fees, uint256 round);

    constructor(Controller _controller) Managed(_controller) {}

    /// @notice Registers a transcoder and puts it at the end of the pool.
    function addTranscoder(address _transcoder) external onlyControllerOwner {
        require(_transcoder != address(0), "transcoder is null address");
        require(place[_transcoder] == 0, "transcoder is already active");
        isRegisteredTranscoder[_transcoder] = true;
        pool.push(_transcoder);
        place[_transcoder] = pool.length;
        emit TranscoderActivated(_transcoder);
    }

    /// @notice Takes a transcoder out of the pool; it stays registered, so that it
    /// is still paid from deposits but no longer from reserves.
    function deactivateTranscoder(address _transcoder) public onlyControllerOwner {
        uint256 at = place[_transcoder];
        require(at != 0, "transcoder is not active");
        for (uint256 i = at; i < pool.length; i++) {
            pool[i - 1] = pool[i];
            place[pool[i]] = i;
        }
        pool.pop();
        delete place[_transcoder];
        emit TranscoderDeactivated(_transcoder);
    }

    /// @notice Takes a transcoder out of the pool and of the register.
    function removeTranscoder(address _transcoder) external onlyControllerOwner {
        require(isRegisteredTranscoder[_transcoder], "transcoder must be registered");
        if (place[_transcoder] != 0) {
            deactivateTranscoder(_transcoder);
        }
        delete isRegisteredTranscoder[_transcoder];
    }

    /// @notice Books the payment of a winning ticket.
    function updateTranscoderWithFees(address _transcoder, uint256 _fees, uint256 _round)
        external
        whenSystemNotPaused
    {
        require(msg.sender == registered("TicketBroker"), "caller must be TicketBroker");
        require(isRegisteredTranscoder[_transcoder], "transcoder must be registered");
        fees[_transcoder] += _fees;
        feesForRound[_transcoder][_round] += _fees;
        emit TranscoderFeesUpdated(_transcoder, _fees, _round);
    }

    function isActiveTranscoder(address _transcoder) external view returns (bool) {
        return place[_transcoder] != 0;
    }

    function getTranscoderPoolSize() external view returns (uint256) {
        return pool.length;
    }

    /// @return The first of the pool, zero when the pool is empty.
    function getFirstTranscoderInPool() external view returns (address) {
        return pool.length == 0 ? address(0) : pool[0];
    }

    /// @return The one after _transcoder, zero after the last and for an outsider.
    function getNextTranscoderInPool(address _transcoder) external view returns (address) {
        uint256 at = place[_transcoder];
        return at == 0 || at == pool.length ? address(0) : pool[at];
    }
}
