# Wait until a Job has fetched the model.
until [ -e "$MODEL_FOLDER/.complete" ]; do
  echo "waiting for $MODEL_FOLDER"
  sleep 5
done
