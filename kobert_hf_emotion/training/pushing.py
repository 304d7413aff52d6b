"""A Hugging Face Trainer that pushes what belongs to the model, and nothing else that lies in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers.trainer_utils import HubStrategy

from ..hub.upload import upload_model
from ..utils.transformers_private.trainer import OpenTrainer


class PushingTrainer(OpenTrainer):
    """`Trainer` uploads whatever lies in `output_dir`; this one the files of the model."""

    def push_to_hub(
        self,
        commit_message: str | None = "End of training",
        blocking: bool = True,
        token: str | None = None,
        revision: str | None = None,
        private: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Saves the model and uploads what belongs to it; `Trainer` uploads whatever lies in `output_dir`.

        Args:
            commit_message: The title of the commit.
            blocking: Whether to wait for the upload.
            token: A token with the right to write.
            revision: The branch.
            private: Whether a repository that is made is private.
            **kwargs: As for `Trainer.create_model_card`.
        """
        if self.hub_model_id is None:
            self.init_hf_repo(token=token, private=private)
        self.save_model_only()
        if not self.is_world_process_zero():
            return None
        repo_id = str(self.hub_model_id)  # `init_hf_repo` has set it
        kwargs.setdefault("model_name", repo_id.rsplit("/", maxsplit=1)[-1])
        self.create_model_card(**kwargs)
        return upload_model(
            Path(str(self.args.output_dir)),
            repo_id,
            token=token or self.args.hub_token,
            commit_message=commit_message,
            run_as_future=not blocking,
            revision=revision or self.args.hub_revision,
        )

    def push_checkpoint(self, folder: Path) -> None:
        """Uploads what belongs to the model."""
        if self.is_world_process_zero() and self.args.hub_strategy != HubStrategy.END:
            # Not in the background: the checkpoint may be deleted when the next one is there.
            upload_model(
                folder,
                str(self.hub_model_id),
                token=self.args.hub_token,
                commit_message=f"Training in progress, step {self.state.global_step}",
                revision=self.args.hub_revision,
            )
