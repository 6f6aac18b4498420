package dev.plimsoll.worker.protocol;

/** What the model runs: the protocol, or a wrong variant of it. */
interface Rules {
    RankVote vote(ProtocolState state);

    Transition on(ProtocolState state, RankEvent event);

    static Rules of(RankProtocol protocol) {
        return new Rules() {
            @Override
            public RankVote vote(ProtocolState state) {
                return protocol.vote(state);
            }

            @Override
            public Transition on(ProtocolState state, RankEvent event) {
                return protocol.on(state, event);
            }
        };
    }
}
